locals {
  images = { serving = var.name, training = "${var.name}-train" }
}

# No lifecycle rule: any release may be rolled back to, and signatures and the parts of an image have no tag of their own.
resource "aws_ecr_repository" "this" {
  for_each             = local.images
  name                 = each.value
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.this.arn
  }
}
