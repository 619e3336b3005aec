/** Images in a batch at most: of 224 × 224 pixels they take 2.3 GiB as they go in. */
export const MAX_BATCH = 4096;

/** Rounds of a cell at most: each is a fresh process. */
export const MAX_ROUNDS = 1000;

/** Seconds that a search may take: thirty days. */
export const MOST_SEARCH_SECONDS = 30 * 24 * 3600;
