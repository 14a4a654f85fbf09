"""One settings file for every place; what differs is read from the environment."""

from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from commune_portal import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))

# --- The place -------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", default=False)
DEMO = env.flag("DEMO", default=False)  # shows demo accounts and codes: never with real people
SECRET_KEY = env.text("SECRET_KEY")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
PUBLIC_URL = env.text("PUBLIC_URL", "http://localhost:8000").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")
if DEMO and HTTPS:
    env.stop("DEMO shows sign-in codes to everybody; it cannot be on at a public address.")
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, high=5)
PORTAL_COMMUNE_CODE = env.text("PORTAL_COMMUNE_CODE", "16072")
PORTAL_NAME = env.text("PORTAL_NAME", "Phú Lộc")

# --- Applications ----------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "commune_portal.apps.PortalConfig",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "common.apps.CommonConfig",
    "accounts.apps.AccountsConfig",
    "notifications.apps.NotificationsConfig",
    "addresses.apps.AddressesConfig",
    "residents.apps.ResidentsConfig",
    "payments.apps.PaymentsConfig",
    "farm.apps.FarmConfig",
]

MIDDLEWARE = [
    "common.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "commune_portal.middleware.PartnerApiLane",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "commune_portal.admin_csp.BackOfficeCspMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "commune_portal.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.OfficialsSecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "common.middleware.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "commune_portal.urls"
WSGI_APPLICATION = "commune_portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "commune_portal.context_processors.portal",
            ],
            "builtins": ["common.templatetags.portal"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database --------------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'portal.sqlite3'}")
DATABASES: dict[str, dict[str, Any]] = {
    "default": dict(dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True))
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Measured: without WAL and IMMEDIATE, two writers under load meet "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = (
        "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
    )

# --- Redis: cache, limits, task queue. All of it may be away without harm. ----------------------
REDIS_URL = env.text("REDIS_URL", "")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "common.cache.FailSoftRedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "portal",
            "OPTIONS": {"socket_connect_timeout": 0.1, "socket_timeout": 0.2},
        }
    }
else:
    # Files, not the database: a long SQLite write must not hold up a progress bar.
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(VAR_DIR / "cache"),
        }
    }

# --- Celery: nudges only, the truth is in rows -----------------------------------------------
TASK_QUEUE = "commune_portal.celery.app"  # common.nudge loads it when it is first needed
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "Asia/Ho_Chi_Minh"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "socket_connect_timeout": 0.2,
        "socket_timeout": 5,
        "visibility_timeout": 600,
        # A nudge must not wait: kombu would try to connect for six seconds (`retry` is for more).
        "max_retries": 0,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
else:
    # docs/adr/0003: 26 ms from nudge to work with one solo worker, no server to install.
    CELERY_BROKER_URL = "files://"  # common/file_queue.py
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(VAR_DIR / "queue"),
        "data_folder_out": str(VAR_DIR / "queue"),
        "control_folder": str(VAR_DIR / "queue-control"),
        "polling_interval": 0.05,
    }
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "deliver-messages": {"task": "notifications.tasks.deliver_messages", "schedule": 5.0},
    "tell-of-receipts": {"task": "payments.tasks.tell_of_receipts", "schedule": 10.0},
    "take-in-bill-files": {"task": "payments.tasks.take_in_bill_files", "schedule": 5.0},
    "take-in-register-files": {"task": "residents.tasks.take_in_register_files", "schedule": 5.0},
    "print-slips": {"task": "payments.tasks.print_slips", "schedule": 5.0},
    "tidy-up": {"task": "commune_portal.tasks.tidy_up", "schedule": 86_400.0},
    "check-the-books": {"task": "payments.tasks.check_the_books", "schedule": 3600.0},
    "heartbeat": {"task": "commune_portal.tasks.beat_heart", "schedule": 15.0},
    "farm-roll-up": {"task": "farm.tasks.roll_up", "schedule": 15.0},
    "farm-run-programmes": {"task": "farm.tasks.run_programmes", "schedule": 10.0},
    "farm-tell-of-alarms": {"task": "farm.tasks.tell_of_alarms", "schedule": 15.0},
    "farm-follow-stages": {"task": "farm.tasks.follow_stages", "schedule": 3600.0},
    "farm-keep-house": {"task": "farm.tasks.keep_house", "schedule": 86_400.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

# --- MQTT ------------------------------------------------------------------------------------
# With a client id the broker keeps what comes while the bridge or its database is away.
MQTT_URL = env.text("MQTT_URL", "mqtt://127.0.0.1:1883/?client_id=portal")
# Where devices that do not speak farm/v1 speak; docs/configuration.md says how they are set up.
FOREIGN_TOPICS = env.words(
    "FOREIGN_TOPICS", "esphome/#,tele/#,stat/#,zigbee2mqtt/#,opensprinkler/#"
)
OPENSPRINKLER_PASSWORD_HASH = env.text("OPENSPRINKLER_PASSWORD_HASH", "")
HOME_ASSISTANT_DISCOVERY = env.flag("HOME_ASSISTANT_DISCOVERY", default=False)

# --- Sign-in ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "payments.api.oauth.ClientSecretHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "commune_portal.sign_in.PhoneAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"phone"}
ACCOUNT_SIGNUP_FIELDS = ["phone*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 5 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# Villages share one wifi address: limits per address are wide, limits per number narrow.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "60/5m/ip,10/5m/key",
    "request_login_code": "60/h/ip,3/5m/key",
}
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = PORTAL_NAME
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # passkeys on http://localhost in the demo
MFA_ADAPTER = "allauth.mfa.adapter.DefaultMFAAdapter"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_USERNAME_FORM_FIELD = "phone"  # as allauth names it, in E.164 whatever was typed
AXES_CLIENT_IP_CALLABLE = "common.net.client_ip"
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_VERBOSE = False

SESSION_COOKIE_AGE = 60 * 60 * 24 * 60  # residents stay signed in for two months
OFFICIALS_IDLE_SECONDS = 30 * 60
OFFICIALS_SESSION_SECONDS = 12 * 60 * 60

# --- Messages to people ----------------------------------------------------------------------
SMS_GATEWAY_URL = env.text("SMS_GATEWAY_URL", "")
SMS_GATEWAY_TOKEN = env.text("SMS_GATEWAY_TOKEN", "")
MESSAGE_DAYS = env.integer("MESSAGE_DAYS", 180)
SIGN_IN_CODES_PER_DAY = env.integer("SIGN_IN_CODES_PER_DAY", 2000)

# --- Payments --------------------------------------------------------------------------------
PAYMENTS_KEY = env.text("PAYMENTS_KEY", SECRET_KEY)  # seals partners' HMAC secrets at rest
BANK_APP_LINK = env.text("BANK_APP_LINK", "")
SIGNATURE_TOLERANCE_SECONDS = 300
PARTNER_CACHE_SECONDS = 5
API_CALL_DAYS = env.integer("API_CALL_DAYS", 400)
UPLOAD_DAYS = env.integer("UPLOAD_DAYS", 180)

OAUTH2_PROVIDER = {
    # RFC 9700, the current security practice: tokens kept as hashes, every weaker grant refused.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "CLIENT_SECRET_HASHER": "pbkdf2_sha256_client",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "SCOPES": {
        "bills:read": "Ask what is owed",
        "payments:write": "Report payments and reversals",
    },
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Commune portal: partner banks' API",
    "DESCRIPTION": (
        "Ask what a household owes, report that money has moved, take a report back. "
        "Only the inquiry may refuse: money that moved is always booked."
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVERS": [{"url": PUBLIC_URL}],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "PREPROCESSING_HOOKS": ["payments.api.schema.only_partner_paths"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "payments.api.schema.with_security",
    ],
    "SCHEMA_PATH_PREFIX": "/api/payments/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Language, time, numbers -----------------------------------------------------------------
LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", _("Vietnamese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "third_party"]
FORMAT_MODULE_PATH = "commune_portal.formats"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False  # only money is grouped, by its own filter
TIME_ZONE = "Asia/Ho_Chi_Minh"

# --- Files -----------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(VAR_DIR / "media")))
STATIC_MANIFEST = env.flag("STATIC_MANIFEST", default=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if STATIC_MANIFEST
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
IMPORT_FILE_MAX_BYTES = 30 * 1024 * 1024

# --- Security --------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^api/", r"^oauth/"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "commune_portal.views.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# --- Back office -----------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": PORTAL_NAME,
    "SITE_HEADER": PORTAL_NAME,
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "potted_plant",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "commune_portal.dashboard.fill",
    "ACCOUNT": {"navigation": "commune_portal.dashboard.account_links"},
    "COLORS": {
        "primary": {
            "50": "236 253 245",
            "100": "209 250 229",
            "200": "167 243 208",
            "300": "110 231 183",
            "400": "52 211 153",
            "500": "16 150 105",
            "600": "11 110 79",
            "700": "9 92 66",
            "800": "8 74 54",
            "900": "6 60 44",
            "950": "3 36 27",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "commune_portal.dashboard.navigation",
    },
}

# --- Logs ------------------------------------------------------------------------------------
LOG_JSON = env.flag("LOG_JSON", default=not (DEBUG or DEMO))
LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "context": {"()": "common.logs.RequestIdFilter"},
        "mask": {"()": "common.logs.MaskFilter"},
    },
    "formatters": {
        "json": {"()": "common.logs.JsonFormatter"},
        "plain": {"format": "{levelname:<7} {name}: {message}", "style": "{"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if LOG_JSON else "plain",
            "filters": ["context", "mask"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "axes": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
    },
}

SILENCED_SYSTEM_CHECKS = [
    # Plain http is a choice of PUBLIC_URL (demo, or TLS ended by a proxy); commune_portal.checks
    # warns instead when PUBLIC_URL is http and DEMO is off.
    *([] if HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]),
]
