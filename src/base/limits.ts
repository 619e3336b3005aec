/** Images in a batch at most: of 224 × 224 pixels they take 2.3 GiB as they go in. */
export const MAX_BATCH = 4096;

/** Rounds of a cell at most: each is a fresh process. */
export const MAX_ROUNDS = 1000;
