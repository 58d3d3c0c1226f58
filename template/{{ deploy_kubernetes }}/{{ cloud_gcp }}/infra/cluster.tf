# Where it runs, once there is a cluster: one made here, or an existing one with Workload Identity Federation.
locals {
  has_cluster  = var.create_cluster || var.cluster_name != null
  cluster_name = var.create_cluster ? module.cluster[0].name : var.cluster_name
}

module "cluster" {
  source     = "./cluster"
  count      = var.create_cluster ? 1 : 0
  name       = var.name
  project    = var.project
  region     = var.region
  repository = google_artifact_registry_repository.this.name
  depends_on = [google_project_service.this]
}
