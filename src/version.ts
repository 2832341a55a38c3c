/** As package.json has it; a test holds the two together. A constant, because reading the file costs start-up time. */
export const VERSION = "0.1.0";
