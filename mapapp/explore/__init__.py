"""The explore page: a calm page on which grid heatmaps are read, compared, and taken away with what they stand on."""
