"""Nothing is lost and nothing made twice, whatever is killed, frozen, cut off or refused."""
