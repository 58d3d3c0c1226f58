# A cluster whose nodes Google looks after (GKE Autopilot). Nodes have no public address.
terraform {
  required_providers {
    google = {
      source = "hashicorp/google"
    }
  }
}

resource "google_container_cluster" "this" {
  #checkov:skip=CKV_GCP_12:Autopilot has Dataplane V2, which enforces network policies
  #checkov:skip=CKV_GCP_61:Autopilot has intranode visibility; flow logs are a choice with a price
  #checkov:skip=CKV_GCP_69:Autopilot has the GKE metadata server
  #checkov:skip=CKV_GCP_20:CI's hosted runners have no fixed address; every request is authenticated by IAM
  #checkov:skip=CKV_GCP_65:Who may do what is granted to single principals, not to groups
  #checkov:skip=CKV_GCP_66:Which images run is decided by reviewed digests; Binary Authorization would need a policy of the project
  name             = var.name
  location         = var.region
  enable_autopilot = true
  resource_labels  = { project = var.name }
  network          = google_compute_network.this.id
  subnetwork       = google_compute_subnetwork.nodes.id
  release_channel {
    channel = "REGULAR"
  }
  maintenance_policy {
    recurring_window { # on weekends, in UTC
      start_time = "2026-01-03T01:00:00Z"
      end_time   = "2026-01-03T09:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
    }
  }
  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = false
  }
  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }
  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }
  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = google_service_account.nodes.email
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    }
  }
  depends_on = [google_project_iam_member.nodes, google_artifact_registry_repository_iam_member.nodes]
}

resource "google_service_account" "nodes" {
  account_id   = "${var.name}-nodes"
  display_name = "Nodes of ${var.name}"
}

resource "google_project_iam_member" "nodes" {
  project = var.project
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  repository = var.repository
  location   = var.region
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}

resource "google_compute_network" "this" {
  #checkov:skip=CKV2_GCP_18:Nothing comes in without a rule, and GKE makes the rules that it needs
  name                    = var.name
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "nodes" {
  #checkov:skip=CKV_GCP_26:Flow logs cost more than this network; turn them on where an audit asks for them
  name                     = "${var.name}-nodes"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = "10.0.0.0/20"
  private_ip_google_access = true
  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.4.0.0/14"
  }
  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = "10.8.0.0/20"
  }
}

resource "google_compute_subnetwork" "proxies" { # the load balancer of the internal Gateway
  name          = "${var.name}-proxies"
  network       = google_compute_network.this.id
  region        = var.region
  ip_cidr_range = "10.0.16.0/23"
  purpose       = "REGIONAL_MANAGED_PROXY"
  role          = "ACTIVE"
}

resource "google_compute_router" "this" {
  name    = var.name
  network = google_compute_network.this.id
  region  = var.region
}

resource "google_compute_router_nat" "this" {
  name                               = var.name
  router                             = google_compute_router.this.name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}
