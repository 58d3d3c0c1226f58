resource "google_artifact_registry_repository" "this" {
  #checkov:skip=CKV_GCP_84:Google's keys encrypt it; a key ring of one's own cannot be deleted again
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"
  docker_config {
    immutable_tags = true
  }
  # Releases name images by digest, and any of them may be rolled back to: only what never got a tag is deleted.
  cleanup_policies {
    id     = "left-over-from-builds"
    action = "DELETE"
    condition {
      tag_state  = "UNTAGGED"
      older_than = "1209600s"
    }
  }
  depends_on = [google_project_service.this]
}

locals {
  registry = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.this.repository_id}"
}
