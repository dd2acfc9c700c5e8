#!/bin/sh
# A process of the generator that ends in the middle of a run.
read -r job
echo '"ready"'
read -r plan
exit 7
