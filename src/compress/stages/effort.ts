/** How many times a model's multiplications a pass takes on which channels are observed. */
export const OBSERVED_PASS = 1.3;

/** Multiplications of a block in the time of one in float64. */
export const FLOAT64 = 2;
