"""Primitive RMM-01 (@primitivefi/rmm-core): pools whose liquidity pays off as a covered call at maturity."""
