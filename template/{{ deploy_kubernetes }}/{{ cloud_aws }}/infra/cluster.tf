# Where it runs, once there is a cluster: one made here, or an existing one with the agent of EKS Pod Identity.
locals {
  has_cluster  = var.create_cluster || var.cluster_name != null
  cluster_name = var.create_cluster ? module.cluster[0].name : var.cluster_name
}

module "cluster" {
  source      = "./cluster"
  count       = var.create_cluster ? 1 : 0
  name        = var.name
  kms_key_arn = aws_kms_key.this.arn
}

resource "aws_eks_pod_identity_association" "workload" {
  for_each        = local.has_cluster ? local.workloads : {}
  cluster_name    = local.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.account
  role_arn        = aws_iam_role.workload[each.key].arn
}
