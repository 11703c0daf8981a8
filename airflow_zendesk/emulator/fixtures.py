"""The data that simulated tickets are made of: agents, texts, rules, SLA policies. All values are invented."""

from dataclasses import dataclass

ADMIN_ID = 21_900_000_000_000
AGENT_IDS = tuple(21_900_000_000_000 + 4_703 * number for number in range(1, 13))
#: All ids of customers are at or after this one, and all ids of staff before it.
FIRST_CUSTOMER_ID = 22_000_000_000_000
AI_AGENT_ID = 21_900_000_990_001
GROUP_IDS = ("21900000700011", "21900000700012", "21900000700013")

BRAND_IDS = (21_900_000_001_001, 21_900_000_001_002)
TICKET_FORM_IDS = (21_900_000_002_001, 21_900_000_002_002)
IMPORTED_ORGANIZATION_IDS = tuple(range(21_900_001_000_001, 21_900_001_000_049))
LATER_ORGANIZATION_IDS = tuple(range(21_900_001_000_101, 21_900_001_000_113))

#: Zendesk sends -1 if no person changed the ticket.
SYSTEM_UPDATER_ID = -1
TRIAGE_TRIGGER_ID = 21_900_000_300_001
CLOSE_AUTOMATION_ID = 21_900_000_300_002
NOTIFY_TRIGGER_ID = 21_900_000_300_003

#: The statuses that have a custom status in this account.
CUSTOM_STATUS_IDS = {"open": 21_900_000_800_001, "hold": 21_900_000_800_002}
#: Events do not name the other custom statuses, but tickets do. Closed tickets have the one of solved tickets.
DEFAULT_STATUS_IDS = {
    "new": 21_900_000_800_003,
    **CUSTOM_STATUS_IDS,
    "pending": 21_900_000_800_004,
    "solved": 21_900_000_800_005,
    "closed": 21_900_000_800_005,
}

#: The custom field that the triage trigger fills in; it determines which SLA policy applies.
PLAN_FIELD_ID = "21900000500001"
PRODUCT_FIELD_ID = "21900000500002"
#: The active custom fields; each ticket lists all of them. Events only set the first two.
TICKET_FIELD_IDS = (int(PLAN_FIELD_ID), int(PRODUCT_FIELD_ID), 21_900_000_500_003, 21_900_000_500_004)
PLANS = ("free", "free", "standard", "standard", "standard", "gold")
PRODUCTS = ("parcel", "letter", "locker", "pallet")

AGENT_CHANNEL = "Web form"
CHAT_CHANNEL = "Chat Transcript"
#: Labels as in the export; the sideload turns most of them into objects (see `serialization.py`).
CHANNELS = ("Web form", "Web form", "Email", "Email", "Email", CHAT_CHANNEL, "Mobile", "API")

PRIORITIES = ("low", "normal", "normal", "normal", "high", "urgent")
NEXT_PRIORITY = {"low": "normal", "normal": "high", "high": "urgent"}
TYPES = ("question", "question", "problem", "incident", "task")
TAGS = (("parcel_late",), ("invoice",), ("address_change", "web"), ("login",), ())

#: Where updates come from: location as Zendesk spells it, latitude, longitude.
LOCATIONS = (
    ("Frankfurt am Main, HE, Germany", 50.11, 8.68),
    ("Lyon, 69, France", 45.76, 4.84),
    ("São Paulo, SP, Brazil", -23.55, -46.63),
    ("Ōsaka, 27, Japan", 34.69, 135.5),
    ("Kraków, 12, Poland", 50.06, 19.94),
)
USER_AGENTS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Zendesk for Mobile/1.0 (example)",
)


@dataclass(frozen=True, slots=True)
class SlaPolicy:
    """An SLA policy: target seconds by priority, for the reply time and for the requester wait time.

    The export gives targets in whole minutes; newer policies also give `target_in_seconds`.
    """

    id: int
    title: str
    description: str
    reply_seconds: dict[str, int]
    wait_seconds: dict[str, int]
    has_target_in_seconds: bool = False


#: Customers on the free plan have no SLA.
SLA_POLICIES = {
    "gold": SlaPolicy(
        21_900_000_600_001,
        "Gold",
        "An answer within two hours",
        reply_seconds={"urgent": 1_890, "high": 3_600, "normal": 7_200, "low": 14_400},
        wait_seconds={"urgent": 14_400, "high": 28_800, "normal": 43_200, "low": 86_400},
        has_target_in_seconds=True,
    ),
    "standard": SlaPolicy(
        21_900_000_600_002,
        "Standard",
        "An answer within the day",
        reply_seconds={"urgent": 3_600, "high": 10_800, "normal": 28_800, "low": 57_600},
        wait_seconds={"urgent": 28_800, "high": 57_600, "normal": 86_400, "low": 172_800},
    ),
}


@dataclass(frozen=True, slots=True)
class Language:
    """Message templates in one language; `{order}` is the number of the order that a ticket is about."""

    subjects: tuple[str, ...]
    opening: str
    follow_up: str
    reply: str
    solution: str


LANGUAGES = (
    Language(
        ("Where is order {order}?", "Invoice for order {order} is wrong", 'Locker says "try later", order {order}'),
        'Hello,\n\norder {order} should have come on Tuesday. The tracking page says only "in transit" & nothing '
        "else since. Could you look into it?\n\nThank you",
        "It is still not here. I have attached nothing new; the number is {order}.",
        "Hello,\n\nthank you for writing. I have asked the depot about {order} and shall come back to you.\n\n"
        "Example Parcels, customer care",
        "The depot has found {order}. It leaves today and arrives tomorrow before noon. <Please keep the label.>",
    ),
    Language(
        ("Bestellung {order} fehlt", "Rechnung zu {order} übersetzen?", "Adresse ändern: {order}"),
        "Guten Tag,\n\nmeine Bestellung {order} ist überfällig. Können Sie bitte nachsehen, wo sie geblieben ist?\n\n"
        "Schöne Grüße",
        "Leider ist noch immer nichts da. Es geht um {order}: größeres Paket, grüner Aufkleber.",
        "Guten Tag,\n\ndanke für Ihre Nachricht. Wir prüfen {order} und melden uns.\n\nExample Parcels",
        "Das Paket {order} wird morgen zugestellt. Entschuldigen Sie die Verspätung.",
    ),
    Language(
        ("Où est ma commande n° {order} ?", "Facture {order} erronée", "Colis {order} abîmé à l'arrivée"),
        "Bonjour,\n\nma commande {order} n'est pas arrivée, et le suivi affiche « en transit » depuis mardi. "
        "Pouvez-vous vérifier ?\n\nMerci d'avance",
        "Toujours rien reçu… le numéro est bien {order}.",
        "Bonjour,\n\nmerci de votre message. Nous vérifions la commande {order} auprès du dépôt.\n\nExample Parcels",
        "Votre colis {order} a été retrouvé et sera livré demain. À bientôt !",
    ),
    Language(
        ("注文 {order} が届きません", "{order} の請求書について", "配送先の変更 {order}"),
        "こんにちは。\n\n注文番号 {order} の荷物がまだ届いていません。"
        "状況を確認していただけますか。\n\nよろしくお願いします。",
        "まだ届いていません。番号は {order} です。",
        "お問い合わせありがとうございます。{order} を確認し、改めてご連絡いたします。",
        "{order} は明日お届けの予定です。ご不便をおかけしました。🙏",
    ),
)
INTERNAL_NOTE = "Called the depot about {order}: shelf 14. Customer not informed yet."
MERGE_NOTE = "Request #{duplicate} was closed and merged into this request."
MERGED_NOTE = "This request was closed and merged into request #{ticket}."
