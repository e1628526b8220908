from django.apps import AppConfig


class SupportAgentConfig(AppConfig):
    name = "support_agent"
    verbose_name = "Assistant"

    def ready(self) -> None:
        from django.core.checks import Tags, register

        from support_agent.chat.endings import listen
        from support_agent.production import deploy_check
        from support_agent.runtime.endings import end_turns
        from support_agent.runtime.jobs import route_later
        from support_agent.runtime.tool_results import settle_tool_call
        from tickets import hooks

        register(deploy_check, Tags.security, deploy=True)
        listen()
        hooks.on_people_took_over.append(end_turns)
        hooks.on_action_changed.append(settle_tool_call)
        hooks.on_hands_free.append(route_later)
