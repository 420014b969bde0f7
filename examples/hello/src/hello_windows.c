/* hello for Windows, without the C runtime: 3 KB, and compiled in half a second. */
#include "greeting.h"

/* The three functions of kernel32.dll that are needed, so that no Windows SDK is. */
__declspec(dllimport) void *GetStdHandle(unsigned long which);
__declspec(dllimport) int WriteFile(void *file, const void *bytes, unsigned long length, unsigned long *written,
                                    void *overlapped);
__declspec(dllimport) void ExitProcess(unsigned int code);

#define STD_OUTPUT_HANDLE ((unsigned long)-11)

void start(void)
{
    unsigned long written = 0;
    int ok = WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), GREETING, sizeof(GREETING) - 1, &written, 0);
    ExitProcess(ok ? 0 : 1);
}
