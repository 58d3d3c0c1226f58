# Where it runs, once there is a cluster: one made here, or an existing one with the agent of EKS Pod Identity.
locals {
  has_cluster  = var.create_cluster || var.cluster_name != null
  cluster_name = var.create_cluster ? module.cluster[0].name : var.cluster_name
  # Which namespace each stage of CI deploys to, or starts training in.
  ci_namespaces = { for stage in ["train", "staging", "prod"] : stage => "${var.namespace}-${stage}" }
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

data "aws_iam_policy_document" "find_cluster" {
  statement {
    sid       = "FindCluster"
    actions   = ["eks:DescribeCluster"]
    resources = ["arn:aws:eks:${var.region}:${local.account_id}:cluster/${local.has_cluster ? local.cluster_name : var.name}"]
  }
}

resource "aws_iam_role_policy" "find_cluster" {
  for_each = local.has_cluster ? local.ci_namespaces : {}
  name     = "cluster"
  role     = aws_iam_role.ci[each.key].id
  policy   = data.aws_iam_policy_document.find_cluster.json
}

# EKS' access policies are closed lists of API groups, in which operators' resources are not. So CI comes as a group, and
# the output role_bindings says what that may do.
resource "aws_eks_access_entry" "ci" {
  for_each          = local.has_cluster ? local.ci_namespaces : {}
  cluster_name      = local.cluster_name
  principal_arn     = aws_iam_role.ci[each.key].arn
  kubernetes_groups = ["${each.value}-ci"]
}
