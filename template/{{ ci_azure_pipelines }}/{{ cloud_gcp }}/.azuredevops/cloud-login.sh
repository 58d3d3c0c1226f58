# Become the service account of STAGE on Google Cloud, for as long as the step runs; to be sourced.
# The identity token of the stage's service connection, whose id is CONNECTION_<STAGE>.
token=$(curl --fail --silent --show-error --request POST --data "" \
    --header "Authorization: Bearer $SYSTEM_ACCESSTOKEN" --header "Content-Type: application/json" \
    "${SYSTEM_OIDCREQUESTURI%/}?api-version=7.1&serviceConnectionId=$(printenv "CONNECTION_$STAGE")" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["oidcToken"])')
printf %s "$token" > "$AGENT_TEMPDIRECTORY/cloud-token"
export GOOGLE_APPLICATION_CREDENTIALS="$AGENT_TEMPDIRECTORY/cloud.json"
gcloud iam workload-identity-pools create-cred-config "$IDENTITY_PROVIDER" \
    --service-account "$(printenv "IDENTITY_$STAGE")" --credential-source-file "$AGENT_TEMPDIRECTORY/cloud-token" \
    --output-file "$GOOGLE_APPLICATION_CREDENTIALS"
gcloud auth login --quiet --cred-file "$GOOGLE_APPLICATION_CREDENTIALS"
