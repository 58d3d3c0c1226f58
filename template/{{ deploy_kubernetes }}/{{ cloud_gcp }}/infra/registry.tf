# No cleanup policy: any release may be rolled back to, and signatures and the parts of an image have no tag of their own.
resource "google_artifact_registry_repository" "this" {
  #checkov:skip=CKV_GCP_84:Google's keys encrypt it; a key ring of one's own cannot be deleted again
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"
  docker_config {
    immutable_tags = true
  }
  depends_on = [google_project_service.this]
}

locals {
  registry = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.this.repository_id}"
}
