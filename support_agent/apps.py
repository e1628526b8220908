from django.apps import AppConfig


class SupportAgentConfig(AppConfig):
    name = "support_agent"
    verbose_name = "Assistant"

    def ready(self) -> None:
        from support_agent.chat.endings import listen
        from support_agent.runtime.endings import end_turns
        from support_agent.runtime.tool_results import settle_tool_call
        from tickets import hooks

        listen()
        hooks.on_people_took_over.append(end_turns)
        hooks.on_action_changed.append(settle_tool_call)
