# What CI may do: each stage has a service account, which only tokens with that stage's subject can become.
resource "google_iam_workload_identity_pool" "ci" {
  workload_identity_pool_id = "${var.name}-ci"
  display_name              = "CI of ${var.name}"
  depends_on                = [google_project_service.this]
}

# A subject may be longer than the 127 characters that Google Cloud takes, so it goes by the first stage that has it.
locals {
  ci_names = { for subject in distinct(values(var.ci_subjects)) : subject => [for s, other in var.ci_subjects : s if other == subject][0] }
}

resource "google_iam_workload_identity_pool_provider" "ci" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.ci.workload_identity_pool_id
  workload_identity_pool_provider_id = "ci"
  attribute_mapping                  = { "google.subject" = join("", [for s, name in local.ci_names : "assertion.sub == '${s}' ? '${name}' : "], ["''"]) }
  attribute_condition                = join(" || ", [for s in keys(local.ci_names) : "assertion.sub == '${s}'"])
  oidc {
    issuer_uri        = var.ci_issuer
    allowed_audiences = var.ci_audience == null ? [] : [var.ci_audience]
  }
}

resource "google_service_account" "ci" {
  for_each     = var.ci_subjects
  account_id   = "${var.name}-ci-${each.key}"
  display_name = "CI of ${var.name}, stage ${each.key}"
}

resource "google_service_account_iam_member" "ci" {
  for_each           = var.ci_subjects
  service_account_id = google_service_account.ci[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.ci.name}/subject/${local.ci_names[each.value]}"
}

# The stage image pushes; a release looks up a digest and verifies its signature. What they may read and write in the
# bucket is in storage.tf.
resource "google_artifact_registry_repository_iam_member" "ci" {
  for_each = {
    image   = "roles/artifactregistry.writer"
    staging = "roles/artifactregistry.reader"
    prod    = "roles/artifactregistry.reader"
  }
  repository = google_artifact_registry_repository.this.name
  location   = google_artifact_registry_repository.this.location
  role       = each.value
  member     = google_service_account.ci[each.key].member
}

# Finds the cluster; what a stage may do in its namespace is said there, because IAM cannot tell namespaces apart.
resource "google_project_iam_member" "ci" {
  for_each = toset(["train", "staging", "prod"])
  project  = var.project
  role     = "roles/container.clusterViewer"
  member   = google_service_account.ci[each.key].member
}
