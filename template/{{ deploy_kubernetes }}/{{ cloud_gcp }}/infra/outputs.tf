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

output "connect" {
  description = "The command that lets kubectl reach the cluster; null while there is none."
  value       = local.has_cluster ? "gcloud container clusters get-credentials ${local.cluster_name} --location ${var.region} --project ${var.project}" : null
}

output "role_bindings" {
  description = "What an administrator of the cluster applies once, so that CI may work in the namespaces."
  value = join("---\n", [for stage, role in { staging = "cluster-admin", prod = "cluster-admin", train = "edit" } : yamlencode({
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "RoleBinding"
    metadata   = { name = "ci", namespace = "${var.namespace}-${stage}" }
    roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "ClusterRole", name = role } # within the namespace
    subjects   = [{ apiGroup = "rbac.authorization.k8s.io", kind = "User", name = google_service_account.ci[stage].email }]
  })])
}
