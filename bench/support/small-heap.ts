/**
 * V8 lets a heap grow for as long as there is memory, whether it is needed or not: its young part alone doubles up to 64 MB
 * with every few thousand objects. With a small heap for every size, what grows with the directory shows; and that the small
 * heap is enough for the largest is half of the proof.
 */
export const SMALL_HEAP = ['--max-old-space-size=32', '--max-semi-space-size=4'];
