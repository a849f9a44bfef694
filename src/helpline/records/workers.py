"""Who does the work that calls leave behind, by the desk's settings."""

from helpline.chat import ChatModel
from helpline.clock import Clock
from helpline.records.delivery import Mail, Webhook
from helpline.records.records import Worker
from helpline.records.redacting import Kinds
from helpline.records.summaries import Summaries
from helpline.records.work import Kind
from helpline.settings import Settings
from helpline.store import Store


def workers_of(settings: Settings, store: Store, *, clock: Clock | None = None) -> dict[Kind, Worker]:
    """The workers that the settings ask for: none when nothing is set."""
    workers: dict[Kind, Worker] = {}
    if settings.chat_url:
        workers["summary"] = Summaries(ChatModel(settings), store, Kinds.of(settings))
    if settings.webhook_url:
        workers["webhook"] = Webhook(settings, store, clock=clock)
    if settings.smtp_host and settings.mail_to:
        workers["mail"] = Mail(settings, store)
    return workers
