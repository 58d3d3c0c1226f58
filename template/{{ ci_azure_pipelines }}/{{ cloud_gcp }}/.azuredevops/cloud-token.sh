#!/bin/sh
# Print a new identity token of the stage's service connection, whose id is CONNECTION_<STAGE>, as Google's clients ask
# for it: https://google.aip.dev/auth/4117 says in which form.
set -eu
curl --fail --silent --show-error --request POST --data "" \
    --header "Authorization: Bearer $SYSTEM_ACCESSTOKEN" --header "Content-Type: application/json" \
    "${SYSTEM_OIDCREQUESTURI%/}?api-version=7.1&serviceConnectionId=$(printenv "CONNECTION_$STAGE")" |
    python3 -c 'import json, sys; print(json.dumps({
        "version": 1, "success": True, "token_type": "urn:ietf:params:oauth:token-type:jwt",
        "id_token": json.load(sys.stdin)["oidcToken"]}))'
