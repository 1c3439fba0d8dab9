r"""What personal data and secrets look like: one pattern per kind, and one cheap pattern that no finding escapes.

The patterns of a kind are for Python's `re` (ASCII). `TRIGGER` is for Polars and RE2: no look-around, and no `\b`,
which costs a factor of a hundred in text that is not ASCII. It matches every text `find_pii` finds something in, also
where JSON escapes hide it (`\u0040`, `\/`), and some more: a filter in front of `find_pii`, not a verdict.
"""

from collections.abc import Mapping

from flywheel.text.pii_kinds import PiiKind

_KEY = "[A-Za-z0-9_-]"
_WORD = "[A-Za-z0-9]"
_HEX = "[0-9a-f]"

# Prefix and rest of keys as their issuers, or the public rules of secret scanners, describe them.
TOKENS: Mapping[str, str] = {
    "sk-": f"{_KEY}{{20,}}",  # OpenAI, Anthropic, OpenRouter, Langfuse
    "pk-lf-": f"{_KEY}{{20,}}",
    **{f"{kind}k_{mode}_": f"{_WORD}{{16,}}" for kind in "rsp" for mode in ("live", "test")},  # Stripe
    "whsec_": "[A-Za-z0-9+/]{24,}",
    **{f"gh{kind}_": f"{_WORD}{{30,}}" for kind in "pousr"},  # GitHub
    "github_pat_": "[A-Za-z0-9_]{22,}",
    **{f"gl{kind}-": f"{_KEY}{{20,}}" for kind in ("pat", "dt", "rt", "ptt", "cbt", "soat")},  # GitLab
    "AKIA": r"[A-Z0-9]{16}\b",  # AWS
    "ASIA": r"[A-Z0-9]{16}\b",
    "xox": "[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    "xapp-": "[A-Za-z0-9-]{20,}",
    "hooks.slack.com/services/": "[A-Z0-9]{8,}/[A-Z0-9]{8,}/[A-Za-z0-9]{16,}",
    "AIza": f"{_KEY}{{35}}",  # Google
    "ya29.": f"{_KEY}{{20,}}",
    "GOCSPX-": f"{_KEY}{{20,}}",
    "hf_": f"{_WORD}{{30,}}",  # Hugging Face
    "api_org_": f"{_WORD}{{30,}}",
    "npm_": f"{_WORD}{{36}}",
    "pypi-": f"{_KEY}{{30,}}",
    "rubygems_": f"{_HEX}{{40,}}",
    "SG.": rf"{_KEY}{{20,}}\.{_KEY}{{20,}}",  # SendGrid
    "xkeysib-": "[a-z0-9-]{40,}",  # Brevo
    "key-": rf"{_HEX}{{32}}\b",  # Mailgun
    "AC": rf"{_HEX}{{32}}\b",  # Twilio
    "SK": rf"{_HEX}{{32}}\b",
    **{f"sq0{kind}-": f"{_KEY}{{22,}}" for kind in ("atp", "csp", "idp")},  # Square
    **{f"shp{kind}_": "[A-Fa-f0-9]{32}" for kind in ("at", "ca", "pa", "ss")},  # Shopify
    **{f"do{kind}_v1_": f"{_HEX}{{32,}}" for kind in "por"},  # DigitalOcean
    "dapi": rf"{_HEX}{{32}}\b",  # Databricks
    "lin_api_": f"{_WORD}{{32,}}",
    "ntn_": f"{_WORD}{{32,}}",  # Notion
    "ATATT3": "[A-Za-z0-9_=-]{30,}",  # Atlassian
    "hvs.": f"{_KEY}{{24,}}",  # Vault
    "glsa_": "[A-Za-z0-9_]{32,}",  # Grafana
    "glc_": "[A-Za-z0-9+/=]{32,}",
    "NRAK-": "[A-Z0-9]{20,}",  # New Relic
    "sntrys_": "[A-Za-z0-9_=+/-]{30,}",  # Sentry
    "PMAK-": "[A-Za-z0-9-]{30,}",  # Postman
    "pscale_tkn_": "[A-Za-z0-9_.-]{30,}",
    "sbp_": f"{_HEX}{{40}}",  # Supabase
    "r8_": f"{_WORD}{{37}}",  # Replicate
    "gsk_": f"{_WORD}{{40,}}",  # Groq
    "xai-": f"{_WORD}{{40,}}",
    "pplx-": f"{_WORD}{{40,}}",
    "lsv2_": "[a-z]{2}_[A-Za-z0-9_]{30,}",  # LangSmith
    "figd_": f"{_KEY}{{30,}}",
    "dp.pt.": f"{_WORD}{{40,}}",  # Doppler
    "tskey-": "[A-Za-z0-9-]{20,}",  # Tailscale
    "CFPAT-": f"{_KEY}{{40,}}",
    "AGE-SECRET-KEY-1": "[A-Z0-9]{50,}",
    "eyJ": rf"{_KEY}{{8,}}\.{_KEY}{{8,}}\.{_KEY}{{4,}}",  # JSON Web Tokens
    "Bearer ": " *[A-Za-z0-9._~+/-]{20,}=*",
    "bearer ": " *[A-Za-z0-9._~+/-]{20,}=*",
    "Basic ": " *[A-Za-z0-9+/]{16,}={0,2}",
}

# The names people give to secrets. A password may be short and is told by its name; the others have to look random.
_PASSWORD = "pass(?:word|wd|phrase|code)|pwd"  # noqa: S105 -- names of passwords, not one
KEY_OWNERS = "api|access|private|auth|account|master|encryption|signing|storage|subscription|shared|client|ssh"
_NAMED = rf"secret|token|credential|(?:{KEY_OWNERS})[_ .-]?key"
_NAME_GOES_ON = "s?(?:[_-][A-Za-z0-9_-]{0,24}|[A-Z][A-Za-z]{0,20})?"
_VALUE = r"[^\s\"'`<>,;(){}\[\]\\&]{6,512}"
_BETWEEN = r"[\s\"'`\\]{0,6}(?:=>|:=|==|[:=]|\bis\b)[\s\"'`\\]{0,6}"
SECRET_NAME = rf"(?i:(?P<password>{_PASSWORD})|{_NAMED}){_NAME_GOES_ON}"
SECRET = rf"{SECRET_NAME}{_BETWEEN}(?P<value>{_VALUE})"

_NOT_MAIL = r"\s@<>()\[\]{},;:\"'`|=/\\"
MAIL_USER = rf"[^{_NOT_MAIL}]+\Z"
MAIL_DOMAIN = rf"(?:[^{_NOT_MAIL}.!?]{{1,63}}\.){{1,8}}[A-Za-z]{{2,24}}\b"

_GROUP = "[0-9A-Fa-f]{1,4}"
_PHONES = (
    r"\+[1-9][0-9]{0,2}[ .-]?\(?[0-9]{1,4}\)?(?:[ .-]?[0-9]{2,4}){2,4}\b",  # +44 20 7946 0958
    r"(?:\b1[ .-])?\([0-9]{3}\) ?[0-9]{3}[ .-][0-9]{4}\b",  # (555) 010-0199
    r"\b(?:1[.-])?[0-9]{3}[.-][0-9]{3}[.-][0-9]{4}\b",  # 555-010-0199
    r"\b(?:1 )?[2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4}\b",  # 555 555 0199, as the American plan allows digits
    r"\b0[0-9]{2,4}[ /-][0-9]{3,4}[ -]?[0-9]{3,5}\b",  # 020 7946 0958, 0171/1234567
    r"\b0[0-9](?:[ .-][0-9]{2}){4}\b",  # 01 23 45 67 89
)

# Kinds that one pattern finds; tokens and e-mail addresses are looked for from their marks.
PATTERNS: Mapping[PiiKind, str] = {
    PiiKind.PRIVATE_KEY: (
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    ),
    PiiKind.CREDENTIALS: r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@<>]{0,64}:[^\s/@<>]{1,128}@",
    PiiKind.SECRET: SECRET,
    PiiKind.IBAN: r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
    PiiKind.CARD: (
        r"\b[2-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,4}(?:[ -]?[0-9]{3})?\b|"
        r"\b3[0-9]{3}[ -]?[0-9]{6}[ -]?[0-9]{4,5}\b"
    ),
    PiiKind.IP_ADDRESS: (
        r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b|"
        rf"\b(?:{_GROUP}:){{7}}{_GROUP}\b|\b(?:{_GROUP}:){{1,6}}(?::{_GROUP}){{1,6}}\b"
    ),
    PiiKind.SSN: r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
    PiiKind.PHONE: "|".join(_PHONES),
}

# What cards, phones and social security numbers consist of: nine characters or more, taken in one go.
NUMBER_RUN = r"[0-9+(][0-9 ().+/-]{8,}+"
NUMBERS = (PiiKind.CARD, PiiKind.SSN, PiiKind.PHONE)

_SPACE = r" \t\n\r\x0b\x0c"  # what `\s` is in ASCII: Rust's knows more, and would let a stranger space hide something
_SLASH = r"\\*/"  # as JSON may escape it
_QUOTES = rf"(?:\\[nrt]|[{_SPACE}\"'`\\])*"


def _as_written(mark: str, rest: str) -> str:
    """Return a token's pattern for text in which slashes may be escaped."""
    begin = mark.replace(".", r"\.").replace("/", _SLASH)
    return begin + rest.replace(r"\b", "").replace("+/", r"+\\/").replace("}/", "}" + _SLASH)


# A number of nine digits or more begins and ends where a word does, also behind an escape: digits within an id are
# none. Where nothing stands between its digits, only a card is one, or what has a plus or a bracket before it.
_BEGINS = r"(?:^|[^0-9A-Za-z_]|\\[nrtbf]|\\u[0-9A-Fa-f]{4})"
_ENDS = "(?:[^0-9A-Za-z_]|$)"
_BETWEEN_DIGITS = r"[ ().\\/-]"


def _digits(least: int) -> str:
    return rf"(?:{_BETWEEN_DIGITS}{{0,4}}[0-9]){{{least},}}"


_GROUPED = "|".join(f"[0-9]{{{first}}}{_BETWEEN_DIGITS}{_digits(9 - first)}" for first in range(1, 6))
_NUMBER = f"(?:[+(][0-9]{_digits(8)}|{_BEGINS}(?:[2-6]{_digits(12)}|{_GROUPED})){_ENDS}"

# An escaped ASCII character may hide anything; not &, < and >, which some writers always escape.
ESCAPED = r"\\u00(?:[01457][0-9A-Fa-f]|3[0-9ABDFabdf]|6[0-9A-Fa-f]|2[0-57-9A-Fa-f])"
TRIGGERS: Mapping[PiiKind, str] = {
    PiiKind.PRIVATE_KEY: "PRIVATE KEY",
    PiiKind.TOKEN: "|".join(_as_written(mark, rest) for mark, rest in TOKENS.items()),
    PiiKind.CREDENTIALS: rf":{_SLASH}{_SLASH}[^{_SPACE}/@]*:[^{_SPACE}@]+@",
    PiiKind.SECRET: (
        rf"(?i:{_PASSWORD}|{_NAMED}){_NAME_GOES_ON}{_QUOTES}(?:=>|:=|==|[:=]|is){_QUOTES}"
        rf"[^{_SPACE}\"'`<>,;(){{}}\[\]&]{{6}}"
    ),
    # a domain may hold an escaped letter
    PiiKind.EMAIL: rf"[^{_SPACE}@<>()\[\]{{}},;:\"'`|=/\\]@[^{_SPACE}@<>()\[\]{{}},;:\"'`|=/]+\.",
    PiiKind.IBAN: r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}",
    PiiKind.IP_ADDRESS: r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:",
    PiiKind.PHONE: _NUMBER,  # and for the other numbers
}
TRIGGER = "|".join(f"(?:{trigger})" for trigger in (*TRIGGERS.values(), ESCAPED))
