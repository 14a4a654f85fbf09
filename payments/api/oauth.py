"""Access tokens for partner banks, kept only as hashes."""

from oauth2_provider.oauth2_validators import OAuth2Validator


class PartnerTokenValidator(OAuth2Validator):
    pass
