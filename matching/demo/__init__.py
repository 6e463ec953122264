"""An invented emergency to look at and to try things on: nobody and nothing in it is real, and every name says 演示."""
