package dynamicregistration

import "invigilator.example/fault"

// defects are those of a tool that registers itself.
var defects []fault.Fault
