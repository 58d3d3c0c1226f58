output "name" {
  description = "The cluster's name, known when workloads can be given their identities."
  value       = aws_eks_cluster.this.name
}
