/** What stands for a status where there is none. */
export const NO_ANSWER = -1;
/** An answer of HTTP/0.9. */
export const NO_STATUS = 0;

/** Server errors and requests without any answer, as the field `error`. */
export const isError = (code: number): boolean => code === NO_ANSWER || (code >= 500 && code <= 599);
export const isClientError = (code: number): boolean => code >= 400 && code <= 499;
