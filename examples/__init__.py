"""What companies make of the product, as packages of their own."""
