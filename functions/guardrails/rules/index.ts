import { pinnedImage } from './pinned-image';
import { plainSecret } from './plain-secret';
import type { Rule } from './rule';

/** In the order in which findings are told: what runs first, then what it is given. */
export const RULES: readonly Rule[] = [pinnedImage, plainSecret];
