# Become the managed identity of STAGE on Azure, for as long as the step runs; to be sourced.
# The identity token of the stage's service connection, whose id is CONNECTION_<STAGE>.
token=$(curl --fail --silent --show-error --request POST --data "" \
    --header "Authorization: Bearer $SYSTEM_ACCESSTOKEN" --header "Content-Type: application/json" \
    "${SYSTEM_OIDCREQUESTURI%/}?api-version=7.1&serviceConnectionId=$(printenv "CONNECTION_$STAGE")" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["oidcToken"])')
AZURE_CLIENT_ID=$(printenv "IDENTITY_$STAGE")
AZURESUBSCRIPTION_SERVICE_CONNECTION_ID=$(printenv "CONNECTION_$STAGE") # the bundle store asks for tokens itself
export AZURE_CLIENT_ID AZURE_TENANT_ID="$TENANT_ID" AZURE_STORAGE_ACCOUNT_NAME="$STORAGE_ACCOUNT"
export AZURESUBSCRIPTION_SERVICE_CONNECTION_ID
az login --service-principal --username "$AZURE_CLIENT_ID" --tenant "$TENANT_ID" \
    --federated-token "$token"
az account set --subscription "$SUBSCRIPTION_ID"
[ "$STAGE" = IMAGE ] || command -v kubelogin > /dev/null ||
    sudo az aks install-cli --client-version v1.34.8 --kubelogin-version v0.2.18
