# What the pods may do: Workload Identity Federation knows each service account of deploy/ as a principal. Its pool
# comes with the first cluster, so nothing is granted before there is one.
locals {
  pool      = "projects/${data.google_project.this.number}/locations/global/workloadIdentityPools/${var.project}.svc.id.goog"
  principal = "principal://iam.googleapis.com/${local.pool}/subject"
  workloads = {
    serving-staging = "${local.principal}/ns/${var.namespace}-staging/sa/serving"
    serving-prod    = "${local.principal}/ns/${var.namespace}-prod/sa/serving"
    drift           = "${local.principal}/ns/${var.namespace}-prod/sa/drift"
    training        = "${local.principal}/ns/${var.namespace}-train/sa/training"
  }
  workload_grants = { for name, grant in {
    serving-staging-models = { member = local.workloads.serving-staging, role = local.read, prefix = "models/bundles/" }
    serving-staging-log    = { member = local.workloads.serving-staging, role = local.create, prefix = "predictions/staging/" }
    serving-prod-models    = { member = local.workloads.serving-prod, role = local.read, prefix = "models/bundles/" }
    serving-prod-log       = { member = local.workloads.serving-prod, role = local.create, prefix = "predictions/prod/" }
    drift-list             = { member = local.workloads.drift, role = local.list, prefix = null }
    drift-models           = { member = local.workloads.drift, role = local.read, prefix = "models/bundles/" }
    drift-log              = { member = local.workloads.drift, role = local.read, prefix = "predictions/prod/" }
    training-list          = { member = local.workloads.training, role = local.list, prefix = null }
    training-data          = { member = local.workloads.training, role = local.read, prefix = "data/" }
    training-models        = { member = local.workloads.training, role = local.write, prefix = "models/" }
  } : name => grant if local.has_cluster }
}

resource "google_storage_bucket_iam_member" "data" {
  for_each   = local.has_cluster ? var.data_buckets : []
  bucket     = each.value
  role       = local.read
  member     = local.workloads.training
  depends_on = [module.cluster]
}
