"""Cases that other projects publish, stated in our declarations and judged by their own figures."""
