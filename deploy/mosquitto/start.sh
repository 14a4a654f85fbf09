#!/bin/sh
# Make the password file from the environment, then become the broker.
# Devices get their own lines:  docker compose exec mosquitto mosquitto_passwd -b /mosquitto/data/passwords NAME PASSWORD
set -eu

passwords=/mosquitto/data/passwords
touch "$passwords"
chmod 0700 "$passwords"
mosquitto_passwd -b "$passwords" portal "$MQTT_PASSWORD"
# The broker wants this file for itself alone, which a mounted one is not.
cp /mosquitto/acl /mosquitto/data/acl
chmod 0700 /mosquitto/data/acl
chown -R mosquitto:mosquitto /mosquitto/data
exec mosquitto -c /mosquitto/config/mosquitto.conf
