# Become the service account of STAGE on Google Cloud, for as long as the step runs; to be sourced.
# The service connection's tokens expire after ten minutes, so clients get a new one from cloud-token.sh each time.
export GOOGLE_APPLICATION_CREDENTIALS="$AGENT_TEMPDIRECTORY/cloud.json" GOOGLE_CLOUD_PROJECT="$PROJECT"
export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1
gcloud iam workload-identity-pools create-cred-config "$IDENTITY_PROVIDER" \
    --service-account "$(printenv "IDENTITY_$STAGE")" --executable-command "sh $PWD/.azuredevops/cloud-token.sh" \
    --output-file "$GOOGLE_APPLICATION_CREDENTIALS"
gcloud auth login --quiet --cred-file "$GOOGLE_APPLICATION_CREDENTIALS"
