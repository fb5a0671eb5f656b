/** An object of Kubernetes, as read from YAML. */
// biome-ignore lint/suspicious/noExplicitAny: YAML as read
export type KubernetesObject = Record<string, any>;
export interface FoundContainer {
  readonly document: KubernetesObject;
  readonly pod: KubernetesObject;
  readonly container: KubernetesObject;
  readonly place: string;
}
export function containersOf(documents: readonly KubernetesObject[]): Generator<FoundContainer>;
export function problemsOf(
  documents: readonly KubernetesObject[],
  program: { options: Readonly<Record<string, ReadonlySet<string>>>; version: string },
): string[];
export function roleOf(container: KubernetesObject): string | null;
