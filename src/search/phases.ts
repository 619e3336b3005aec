/** Where in a search measuring what work costs on the device ends, as a share of its progress and of its time. */
export const PROBES_END = 0.2;

/** Where measuring what each knob loses ends. Making and measuring candidates is the rest. */
export const LEVELS_END = 0.6;
