//! Kubernetes types: Ramen's CRDs and the foreign objects that it reads and writes
