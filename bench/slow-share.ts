/** By how much the slowed agent is slower: 3 %. */
export const SLOW_DOWN = 0.03;
