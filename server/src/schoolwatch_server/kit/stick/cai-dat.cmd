@echo off
rem Installs the SchoolWatch agent from this stick: right-click, Run as administrator.
rem Option /q asks for no key at the end. This file is plain ASCII with CR LF: what people read is in texts
rem of their own (UTF-8), because cmd.exe reads its own lines in the console's code page.
setlocal EnableExtensions DisableDelayedExpansion
set "HERE=%~dp0"
set "ACTION=install"
set "QUIET="
set "OPTIONS="
:words
if "%~1"=="" goto system
if /i "%~1"=="/q" set "QUIET=1"
if /i "%~1"=="/uninstall" set "ACTION=uninstall"
if /i "%~1"=="/delete-data" set "OPTIONS=--delete-data"
if /i "%~1"=="/ignore-clock" set "OPTIONS=%OPTIONS% --ignore-clock"
if /i "%~1"=="/older" set "OPTIONS=%OPTIONS% --older"
shift
goto words

:system
chcp 65001 >nul
set "MAJOR="
for /f "delims=" %%v in ('ver') do set "VERSION=%%v"
for %%n in (%VERSION%) do set "VERSION=%%n"
for /f "tokens=1 delims=." %%m in ("%VERSION%") do set "MAJOR=%%m"
if not defined MAJOR set "MAJOR=0"
set "WHY=windows-cu"
if %MAJOR% LSS 10 goto refused
set "WHY=may-32-bit"
if /i "%PROCESSOR_ARCHITECTURE%"=="AMD64" goto rights
if /i "%PROCESSOR_ARCHITEW6432%"=="AMD64" goto rights
if /i "%PROCESSOR_ARCHITECTURE%"=="ARM64" set "WHY=may-arm"
goto refused

:rights
set "WHY=can-quyen-windows"
fltmc >nul 2>&1
if errorlevel 1 goto refused
set "WHY=thieu-windows"
if not exist "%HERE%schoolwatch\python-windows\python.exe" goto refused
"%HERE%schoolwatch\python-windows\python.exe" -I -B -X utf8 "%HERE%schoolwatch\cai_dat.py" %ACTION% %OPTIONS%
set "CODE=%ERRORLEVEL%"
goto done

:refused
type "%HERE%schoolwatch\loi\%WHY%.txt"
set "CODE=2"

:done
if not defined QUIET pause
exit /b %CODE%
