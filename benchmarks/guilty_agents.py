def guilty_table(data):
    return ""
