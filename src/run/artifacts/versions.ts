/*
 * Versions of what makes artifacts besides the stages, whose own versions stand with them: to be raised by hand when the same input
 * comes to give other numbers, so that nothing that an older version made is found in the cache.
 */

/** How images are drawn, run through blocks and observed (`compress/observe`, `compress/calibration.ts`). */
export const OBSERVATION_VERSION = 2;

/**
 * How a model and its preprocessing are written as graphs (`vit/graph`, `data/preprocess.ts`, `onnx`), and what is noted of them
 * (`ArtifactFacts`).
 */
export const GRAPH_VERSION = 7;
