# What the pods may do: Workload Identity Federation knows each service account of deploy/ as a principal. Its pool
# comes with the first cluster, so nothing is granted before there is one.
locals {
  principal = "principal://iam.googleapis.com/projects/${data.google_project.this.number}/locations/global/workloadIdentityPools/${var.project}.svc.id.goog/subject"
  workloads = {
    serving-staging = "${local.principal}/ns/${var.namespace}-staging/sa/serving"
    serving-prod    = "${local.principal}/ns/${var.namespace}-prod/sa/serving"
    drift           = "${local.principal}/ns/${var.namespace}-prod/sa/drift"
    training        = "${local.principal}/ns/${var.namespace}-train/sa/training"
  }
  workload_grants = { for name, grant in {
    serving-staging-models = { member = local.workloads.serving-staging, role = "roles/storage.objectViewer", prefix = "models/bundles/" }
    serving-staging-log    = { member = local.workloads.serving-staging, role = "roles/storage.objectCreator", prefix = "predictions/staging/" }
    serving-prod-models    = { member = local.workloads.serving-prod, role = "roles/storage.objectViewer", prefix = "models/bundles/" }
    serving-prod-log       = { member = local.workloads.serving-prod, role = "roles/storage.objectCreator", prefix = "predictions/prod/" }
    drift-list             = { member = local.workloads.drift, role = "roles/storage.legacyBucketReader", prefix = null }
    drift-models           = { member = local.workloads.drift, role = "roles/storage.objectViewer", prefix = "models/bundles/" }
    drift-log              = { member = local.workloads.drift, role = "roles/storage.objectViewer", prefix = "predictions/prod/" }
    training-list          = { member = local.workloads.training, role = "roles/storage.legacyBucketReader", prefix = null }
    training-data          = { member = local.workloads.training, role = "roles/storage.objectViewer", prefix = "data/" }
    training-models        = { member = local.workloads.training, role = "roles/storage.objectUser", prefix = "models/" }
  } : name => grant if local.has_cluster }
  data_readers = merge(
    { ci = google_service_account.ci["train"].member },
    local.has_cluster ? { cluster = local.workloads.training } : {},
  )
}

resource "google_storage_bucket_iam_member" "data" {
  for_each = { for pair in setproduct(keys(local.data_readers), var.data_buckets) : join(" ", pair) => {
    member = local.data_readers[pair[0]], bucket = pair[1]
  } }
  bucket     = each.value.bucket
  role       = "roles/storage.objectViewer"
  member     = each.value.member
  depends_on = [module.cluster]
}
