package scenarios

// Version is the version of Invigilator.
const Version = "0.1.0"
