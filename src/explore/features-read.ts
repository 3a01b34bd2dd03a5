import type { Features } from '../arm64/features.ts';

/**
 * Wraps a record so that looking at a field is noted in `read`. A search is a function of what it
 * reads: a feature that neither candidate nor machine looked at cannot change its result.
 */
export function watchFeatures(features: Features, read: Set<keyof Features>): Features {
  return new Proxy(features, {
    get(target, field) {
      const key = field as keyof Features;
      read.add(key);
      return target[key];
    },
  });
}
