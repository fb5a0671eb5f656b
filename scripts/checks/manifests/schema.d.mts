import type { KubernetesObject } from './rules.mjs';

export function documentsIn(text: string): KubernetesObject[];
export function createSchema(): (document: KubernetesObject) => string[];
