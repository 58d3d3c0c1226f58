output "name" {
  description = "The cluster's name, known when workloads can be given their identities."
  value       = google_container_cluster.this.name
}
