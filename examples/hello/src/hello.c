/* hello for systems with a C library. */
#include <stdio.h>

#include "greeting.h"

int main(void)
{
    return fputs(GREETING, stdout) < 0;
}
