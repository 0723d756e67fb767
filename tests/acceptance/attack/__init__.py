"""What somebody sends who means harm, over every route there is."""
