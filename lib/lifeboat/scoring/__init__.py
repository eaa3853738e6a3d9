"""A trained model without Spark: exported to one folder, scored by onnxruntime, served over HTTP."""
