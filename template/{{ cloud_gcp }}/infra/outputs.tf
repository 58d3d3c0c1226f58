output "ci_variables" {
  description = "The variables of CI; none of them is secret."
  value = merge(
    {
      PROJECT            = var.project
      REGION             = var.region
      IMAGE              = "${local.registry}/serving"
      TRAIN_IMAGE        = "${local.registry}/training"
      STORE_URI          = local.store_uri
      PREDICTION_LOG_URI = "${local.log_uri}/prod"
      IDENTITY_PROVIDER  = google_iam_workload_identity_pool_provider.ci.name
    },
    { for stage, account in google_service_account.ci : "IDENTITY_${upper(stage)}" => account.email },
    local.has_cluster ? { CLUSTER = local.cluster_name } : {},
  )
}

output "settings" {
  description = "What settings.py writes into the settings.yaml of deploy/."
  value = {
    "overlays/staging" = { PREDICTION_LOG_URI = "${local.log_uri}/staging" }
    "overlays/prod"    = { PREDICTION_LOG_URI = "${local.log_uri}/prod" }
    "train"            = { STORE_URI = local.store_uri }
  }
}

output "data_uri" {
  description = "Where training data may be put."
  value       = "gs://${google_storage_bucket.this.name}/data"
}
