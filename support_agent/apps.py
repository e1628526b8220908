from django.apps import AppConfig


class SupportAgentConfig(AppConfig):
    name = "support_agent"
    verbose_name = "Assistant"

    def ready(self) -> None:
        from django.conf import settings
        from django.core.checks import Tags, register

        from support_agent.agent import identifiers
        from support_agent.chat.endings import listen
        from support_agent.production import deploy_check
        from support_agent.runtime.drafts import drafts_close
        from support_agent.runtime.endings import end_turns
        from support_agent.runtime.jobs import route_later, send_effect_later
        from support_agent.runtime.mcp.performer import mcp_performer
        from support_agent.runtime.number_formats import company_formats
        from support_agent.runtime.tool_results import settle_tool_call
        from support_agent.sign_in.gate import is_through
        from support_agent.sign_in.news import listen as listen_for_factors
        from support_agent.tools import own
        from tickets import hooks
        from tickets.services.effects import performers

        register(deploy_check, Tags.security, deploy=True)
        listen()
        listen_for_factors()
        hooks.on_people_took_over.extend([end_turns, drafts_close])
        hooks.on_action_changed.append(settle_tool_call)
        hooks.on_hands_free.append(route_later)
        hooks.on_effect_due.append(send_effect_later)
        hooks.opens_desk.append(is_through)
        identifiers.use(company_formats)
        own.load(settings.AGENT_TOOLS)
        performers.append(mcp_performer)
