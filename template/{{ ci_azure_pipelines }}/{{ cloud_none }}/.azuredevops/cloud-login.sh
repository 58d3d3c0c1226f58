# Azure Pipelines has no registry of its own: images are built, and pushed nowhere.
