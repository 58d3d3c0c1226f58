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

output "connect" {
  description = "The command that lets kubectl reach the cluster; null while there is none."
  value       = local.has_cluster ? "gcloud container clusters get-credentials ${local.cluster_name} --location ${var.region} --project ${var.project}" : null
}
