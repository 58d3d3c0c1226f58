# Become the role of STAGE on AWS, for as long as the step runs; to be sourced.
# The identity token of the stage's service connection, whose id is CONNECTION_<STAGE>.
token=$(curl --fail --silent --show-error --request POST --data "" \
    --header "Authorization: Bearer $SYSTEM_ACCESSTOKEN" --header "Content-Type: application/json" \
    "${SYSTEM_OIDCREQUESTURI%/}?api-version=7.1&serviceConnectionId=$(printenv "CONNECTION_$STAGE")" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["oidcToken"])')
export AWS_REGION="$REGION"
keys=$(aws sts assume-role-with-web-identity --role-arn "$(printenv "IDENTITY_$STAGE")" \
    --role-session-name "pipeline-$BUILD_BUILDID" --web-identity-token "$token" \
    --duration-seconds "$([ "$STAGE" = TRAIN ] && echo 14400 || echo 3600)" \
    --query 'Credentials.[AccessKeyId, SecretAccessKey, SessionToken]' --output text)
AWS_ACCESS_KEY_ID=$(echo "$keys" | cut -f 1)
AWS_SECRET_ACCESS_KEY=$(echo "$keys" | cut -f 2)
AWS_SESSION_TOKEN=$(echo "$keys" | cut -f 3)
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
